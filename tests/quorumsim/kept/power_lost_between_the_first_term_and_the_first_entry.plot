# Found: a node whose machine went off within its first start never voted again.
seed 472
nodes 3
election 300
0.300000 power-cut other 4 for 0.503451
1.115234 slow-disk n1 2128 for 0.446162
2.084770 wipe last for 0.145381
9.000000 heal
