# Found: libraft 0.15 confirms to a leader all that is on disk, also what an older leader left behind the entries that came. consensus_io.c says only what agrees.
seed 11121
nodes 3
election 300
0.300000 lose-tail leader 3 for 1.696936
1.154022 mangle 12 for 0.688990
1.352372 freeze other for 0.221854
1.529257 orders n3 2
1.759203 slow-disk n1 4594 for 1.996147
2.767333 kill other for 1.857885
2.808354 kill n3 for 2.142501
3.596035 kill leader for 0.240476
3.986416 freeze n1 for 1.203462
4.826861 kill leader for 0.279660
5.059849 freeze n2 for 0.210213
5.495259 mangle 16 for 0.056708
5.685859 kill n1 for 0.364411
6.060324 orders n1 4
6.099046 stop n1 for 0.236676
6.235456 cut n3 last for 0.443161
6.301003 kill n2 for 0.037143
6.403379 orders last 2
6.583510 orders n1 4
6.688469 orders leader 4
6.706652 freeze n1 for 0.218930
6.815984 late 247 for 0.332304
6.871119 cut n1 n3 for 0.484489
6.985623 orders leader 6
7.226847 power-cut n1 6 for 0.346531
7.397209 mangle 20 for 0.015881
9.000000 heal
