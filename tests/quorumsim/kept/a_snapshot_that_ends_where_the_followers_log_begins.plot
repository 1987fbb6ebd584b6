# Found: libraft 0.15 refuses for ever, in a log that begins behind it, entries that begin exactly where the log does. consensus_io.c leaves out what a snapshot holds.
seed 2094
nodes 3
election 1000
1.000000 kill n1 for 2.403624
2.465223 slow-disk last 3633 for 3.745114
2.616032 kill other for 1.791150
4.658697 freeze last for 0.167417
5.128659 freeze last for 0.230821
5.917154 orders leader 5
6.333497 orders leader 6
6.835834 kill n1 for 1.429504
7.289989 break n3 n1
7.989757 orders other 6
8.427395 isolate other for 0.773667
8.554608 cut leader n3 for 1.642411
8.738214 orders n2 2
9.210714 kill n2 for 7.973909
10.228671 late 180 for 1.927239
11.013181 late 53 for 1.888764
11.694193 isolate leader for 1.346050
12.430698 break leader n3
12.496295 kill leader for 0.467575
12.631499 lossy 33 for 0.939856
13.608634 freeze last for 1.897717
14.586550 late 393 for 2.179953
15.363911 kill leader for 0.832149
15.572264 cut n3 n2 for 3.672376
15.912142 isolate leader for 1.892837
16.682349 orders last 3
17.224510 freeze n3 for 0.871806
17.377246 cut n2 n1 for 7.253865
18.155961 kill n3 for 1.965363
20.573556 mangle 18 for 1.414941
21.500807 orders last 4
21.672275 orders n1 6
22.462168 mangle 34 for 6.164289
22.614458 orders last 6
23.191613 stand-down n1 for 2.173312
23.546356 snapshot n2
24.035202 slow-disk n2 3574 for 2.316989
24.504865 snapshot other
25.353144 freeze leader for 1.522455
26.143238 orders last 2
26.283401 freeze n3 for 1.166680
26.922690 orders leader 2
30.000000 heal
