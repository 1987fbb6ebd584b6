# Found: libraft 0.15 refuses a pre-vote of an older term and keeps its own later term to itself; nobody was elected any more.
seed 301
nodes 5
election 300
0.300000 mangle 29 for 0.320070
0.527072 orders n2 1
0.712039 orders last 2
0.803341 slow-disk last 828 for 0.412323
1.029733 mangle 11 for 0.445597
1.356019 kill n3 for 0.155667
1.824769 stop leader for 0.127488
2.036944 orders n3 5
2.225381 power-cut other 12 for 1.924721
2.352264 orders leader 6
3.017565 orders other 1
3.174215 full-disk n5 for 0.501133
3.560338 lose-tail leader 3 for 0.252141
3.730198 full-disk leader for 1.731991
3.926646 late 347 for 0.545096
3.950821 orders last 5
5.401784 full-disk n3 for 0.434318
6.271446 stop last for 0.317980
7.376916 lose-tail n4 6 for 0.428843
9.000000 heal
