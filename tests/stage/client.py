"""A stand-in for orchestrator's shell client: sends the requests that it sends, in its spelling, and reads of the answers what its jq
filters read; written from its documented behaviour, without its text. What is no JSON, or of another shape, is a failure here as there."""
import json
import urllib.error
import urllib.request

from .waits import StageFailure


def encoded(text):
    """As the client's urlencode: everything but letters, digits and -_.~, of the text with a line break behind it."""
    plain = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~'
    return ''.join(c if c in plain else ''.join(f'%{byte:02X}' for byte in c.encode()) for c in text + '\n')


def key(value):
    return f"{value['Hostname']}:{value['Port']}"


def keys(values):
    return [key(one['Key']) for one in values]


def bare_keys(values):
    return [key(one) for one in values]


def moved(value):
    return f"{key(value['Key'])}<{key(value['MasterKey'])}"


def findings(entries):
    return [f"{key(one['AnalyzedInstanceKey'])} (cluster {one['ClusterDetails']['ClusterName']}): "
            f"{one['Analysis'] if one['Analysis'] != 'NoProblem' else one['StructureAnalysis'][0]}" for one in entries]


def broken(values):
    return keys([one for one in values if not (one['ReplicationSQLThreadRuning'] and one['ReplicationIOThreadRuning'])
                 and (one['LastSQLError'] or one['LastIOError'])])


def running(values):
    return keys([one for one in values if one['ReplicationSQLThreadRuning'] and one['ReplicationIOThreadRuning']])


def if_states(state):
    return lambda one: key(one['Key']) if one['ReplicationSQLThreadState'] == state == one['ReplicationIOThreadState'] else ''


def same(value):
    return value


# Command: path, is the answer an envelope whose Details are read, what is read of it. I: host/port; H: the hint; D: destination.
COMMANDS = {
    'clusters': ('clusters-info', False, lambda all: [one['ClusterName'] for one in all]),
    'clusters-alias': ('clusters-info', False, lambda all: [f"{one['ClusterName']},{one['ClusterAlias']}" for one in all]),
    'search': ('search?s={text}', False, keys),
    'which-instance': ('instance/{I}', False, lambda one: key(one['Key'])),
    'which-master': ('instance/{I}', False, lambda one: key(one['MasterKey'])),
    'which-replicas': ('instance-replicas/{I}', False, keys),
    'which-broken-replicas': ('instance-replicas/{I}', False, broken),
    'which-cluster-instances': ('cluster/{H}', False, keys),
    'which-cluster': ('cluster-info/{H}', False, lambda one: one['ClusterName']),
    'which-cluster-alias': ('cluster-info/{H}', False, lambda one: one['ClusterAlias']),
    'which-cluster-master': ('master/{H}', False, lambda one: one['ClusterName']),
    'all-clusters-masters': ('masters', False, keys),
    'all-instances': ('all-instances', False, keys),
    'which-cluster-osc-replicas': ('cluster-osc-replicas/{H}', False, keys),
    'which-cluster-osc-running-replicas': ('cluster-osc-replicas/{H}', False, running),
    'downtimed': ('downtimed/{H}', False, keys),
    'dominant-dc': ('masters', False, lambda all: max([one['DataCenter'] for one in all], key=[one['DataCenter'] for one in all].count)),
    'topology': ('topology/{H}', True, same),
    'topology-tabulated': ('topology-tabulated/{H}', True, same),
    'topology-tags': ('topology-tags/{H}', True, same),
    'tags': ('tags/{I}', False, same),
    'tag-value': ('tag-value/{I}?tag={tag}', False, same),
    'tag': ('tag/{I}?tag={tag}', True, key),
    'untag': ('untag/{I}?tag={raw_tag}', True, bare_keys),
    'untag-all': ('untag-all?tag={raw_tag}', True, bare_keys),
    'tagged': ('tagged/?tag={tag}', False, bare_keys),
    'submit-pool-instances': ('submit-pool-instances/{pool}?instances={text}', True, same),
    'which-heuristic-cluster-pool-instances': ('heuristic-cluster-pool-instances/{H}/{pool}', True, keys),
    'begin-downtime': ('begin-downtime/{I}/{owner}/{reason}/{duration}', True, key),
    'end-downtime': ('end-downtime/{I}', True, key),
    'begin-maintenance': ('begin-maintenance/{I}/{owner}/{reason}', True, key),
    'end-maintenance': ('end-maintenance/{I}', True, key),
    'register-candidate': ('register-candidate/{I}/{rule}', True, key),
    'register-hostname-unresolve': ('register-hostname-unresolve/{I}/{hostname}', True, key),
    'deregister-hostname-unresolve': ('deregister-hostname-unresolve/{I}', True, key),
    'which-gtid-errant': ('instance/{I}', False, lambda one: one['GtidErrant']),
    'can-replicate-from': ('can-replicate-from/{I}/{D}', True, key),
    'can-replicate-from-gtid': ('can-replicate-from-gtid/{I}/{D}', True, key),
    'is-replicating': ('instance/{I}', False, if_states(1)),
    'is-replication-stopped': ('instance/{I}', False, if_states(0)),
    'replication-analysis': ('replication-analysis', True, findings),
    'check-global-recoveries': ('check-global-recoveries', True, same),
    'discover': ('discover/{I}', True, lambda one: key(one['Key'])),
    'async-discover': ('async-discover/{I}', True, lambda one: key(one['Key'])),
    'forget': ('forget/{I}', True, lambda _: ''),
    'forget-cluster': ('forget-cluster/{H}', True, lambda _: ''),
    'snapshot-topologies': ('snapshot-topologies', True, same),
    'ack-cluster-recoveries': ('ack-recovery/cluster/{H}?comment={reason}', True, same),
    'ack-all-recoveries': ('ack-all-recoveries?comment={reason}', True, same),
}


class Refused(ValueError):
    """Code ERROR; the message."""


class Client:
    def __init__(self, url, context=None):
        self.context = context                       # of https://
        self.url = url.rstrip('/')
        self.api = self.url if self.url.endswith('/api') else f'{self.url}/api'

    def get(self, path, method='GET'):
        try:
            with urllib.request.urlopen(urllib.request.Request(path, method=method), timeout=60, context=self.context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def run(self, command, i='', d='', alias='', **words):
        """What the client would print, as a list or a text; an envelope that says ERROR raises Refused."""
        status, _ = self.get(self.url, 'HEAD')
        if status == 401:
            raise StageFailure('access is refused')
        path, is_told, read = COMMANDS[command]
        encoded_words = {name: encoded(words.get(name, '')) for name in ('tag', 'owner', 'reason')}
        url = path.format(I=i.replace(':', '/'), D=d.replace(':', '/'), H=alias or i, text=encoded(i), raw_tag=words.get('tag', ''),
                          pool=words.get('pool', ''), duration=words.get('duration', '10m'), rule=words.get('rule', ''),
                          hostname=words.get('hostname', ''), **encoded_words)
        _, text = self.get(f'{self.api}/{url}')
        try:
            value = json.loads(text)
            if isinstance(value, dict) and 'Code' in value:
                if 'ERROR' in value['Code']:
                    raise Refused(value['Message'])
                value = value['Details']
            elif is_told:
                raise StageFailure(f'{command}: no envelope: {text[:200]}')
            return read(value)
        except Refused:
            raise
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise StageFailure(f'{command}: the client cannot read {url}: {error!r}: {text[:300]}') from None
