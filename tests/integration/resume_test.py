"""Replication that an error of the network has stopped goes on by itself."""
from stage import limit, wait_until
from stage.relayed import RelayedHome


@limit(90)
def test_a_spoiled_event_stops_fetching_and_the_leader_begins_it_again():
    """A bit of what db2 fetches is changed on its way: MariaDB stops (1595, 1743). It fetches again, nothing is lost, the history says so."""
    with RelayedHome(proxies=1).start() as home:
        db2 = home.pair['db2']
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=50)
        home.relay.spoil(home.links([('db2', 'db1')]), 60)
        wait_until(lambda: 'checksum verification failed' in open(db2.log).read(), 20, 'db2 to stop fetching')
        wait_until(db2.replicates, 20, 'db2 to fetch again')
        home.pair.wait_level()
        writer.stop()
        home.pair.wait_level()
        wait_until(lambda: 'was begun again' in home.wait_leader().ctl('history')[1], 20, 'the history to say so')


@limit(90)
def test_without_the_procedure_it_is_told_what_to_do():
    """No firstchair_resume on db2: an alarm names it; begun by hand, replication goes on and the alarm is not repeated."""
    with RelayedHome(proxies=1).start() as home:
        db2, leader = home.pair['db2'], home.wait_leader()
        db2.execute('SET SESSION sql_log_bin=0; DROP PROCEDURE firstchair.firstchair_resume')
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=50)
        home.relay.spoil(home.links([('db2', 'db1')]), 60)
        wait_until(lambda: 'there is no procedure firstchair_resume' in leader.said(), 20, 'the leader to tell')
        db2.execute('START SLAVE IO_THREAD')
        wait_until(db2.replicates, 20, 'db2 to fetch again')
        writer.stop()
        home.pair.wait_level()
        assert leader.said().count('no procedure firstchair_resume') == 1
