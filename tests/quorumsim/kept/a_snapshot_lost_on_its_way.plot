# Found: a follower whose snapshot was lost on its way got nothing for 30 seconds, which is what libraft waits.
seed 740
nodes 3
election 300
0.506176 cut n1 other for 1.011574
1.186883 isolate last for 1.071051
1.480203 orders other 1
1.563499 stop n3 for 0.395621
1.745465 late 219 for 1.077998
2.097313 orders n3 3
3.426656 kill leader for 0.031466
3.588590 kill other for 0.128925
3.761950 lose-tail other 4 for 0.129138
4.188309 kill n2 for 0.291009
5.171989 kill n1 for 0.191386
5.735258 snapshot leader
6.192704 stop n2 for 0.327420
6.398694 power-cut last 6 for 0.341855
6.616631 orders leader 4
7.202835 stop leader for 0.136220
7.441603 kill n3 for 0.483475
7.760035 freeze n1 for 0.421192
8.302138 isolate n1 for 0.273938
8.535529 cut n3 other for 1.887478
8.913033 kill last for 0.226802
9.000000 heal
