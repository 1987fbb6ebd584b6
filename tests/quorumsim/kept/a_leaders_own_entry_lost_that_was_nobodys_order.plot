# Found: a leader marked as confirmed by its own disk only what was an order; it lost the entry of its own election, and led on past it.
seed 5141
nodes 3
election 300
0.605594 stop n3 for 0.365232
0.629373 late 162 for 1.445809
1.273238 kill other for 0.401872
1.798423 lose-tail last 6 for 0.449019
1.900594 stand-down n2 for 1.496253
2.311124 stand-down n3 for 0.373516
2.589915 kill n2 for 0.447112
2.971327 slow-disk n3 4148 for 0.318519
3.344084 late 269 for 0.397136
3.568086 stop leader for 1.374874
4.460430 mangle 31 for 0.320827
5.141668 stand-down n1 for 2.325438
5.446946 mangle 36 for 0.475211
5.659983 stop last for 0.315090
5.865049 lossy 34 for 1.535530
6.052050 stop leader for 0.543902
7.505140 stop n1 for 0.680357
8.161149 freeze n2 for 0.711958
8.379374 lose-tail leader 5 for 2.297324
8.828690 slow-disk n3 3142 for 0.563933
9.000000 heal
