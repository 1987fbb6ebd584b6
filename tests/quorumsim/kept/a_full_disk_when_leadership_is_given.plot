# Found: libraft 0.15 frees twice when a term cannot be written. consensus_io.c never tells it of a disk that failed.
seed 111
nodes 5
election 1000
6.192499 full-disk n4 for 4.766400
6.788178 yield n2 4
30.000000 heal
