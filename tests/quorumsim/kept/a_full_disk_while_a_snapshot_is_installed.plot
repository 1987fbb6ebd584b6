# Found: a node was marked to hold a snapshot that was not durable yet, and gave no votes after its disk had failed.
seed 330
nodes 5
election 1000
3.140997 late 379 for 3.814136
3.842700 isolate last for 0.658004
4.514367 orders n1 3
5.203445 orders n4 4
5.538089 orders n3 4
5.950387 snapshot last
6.643115 freeze other for 1.243165
7.113280 orders n2 4
7.285182 lose-tail n5 3 for 7.942895
7.534917 orders n4 1
7.782867 orders last 6
9.978807 cut-one-way leader n3 for 1.214919
10.417004 orders n4 6
11.062601 freeze leader for 7.385407
11.272400 orders last 3
12.302026 full-disk n4 for 4.935729
12.856957 freeze last for 1.749353
14.266395 kill leader for 1.853723
15.564695 orders leader 6
15.812544 orders n1 2
16.075270 orders other 2
16.192904 wipe n2 for 1.649715
16.904260 orders leader 3
18.488287 lose-tail leader 2 for 1.253032
30.000000 heal
