# Found: libraft 0.15 adds entries that a snapshot holds once more at the end of its log, and crashes. consensus_io.c leaves them out.
seed 196
nodes 3
election 1000
2.974219 orders n1 3
4.377952 orders n3 4
9.270907 orders n3 4
13.345398 orders n2 4
14.089929 stop last for 1.109624
14.957370 kill leader for 1.744725
16.701633 isolate last for 5.949898
19.968344 snapshot n3
30.000000 heal
