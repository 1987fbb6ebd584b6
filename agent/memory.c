/* The shipped program takes its memory from jemalloc (docs/adr/0015-libraries.md): a look at a server is a few hundred small pieces and the 60 kB stack
 * that libmariadb wants for each operation, and over ten thousand sessions glibc's allocator spends a seventh of all time on them and keeps a
 * third more. Builds with sanitizers have an allocator of their own, and do not have this file. */

extern const char *malloc_conf;      /* read by jemalloc at start */

/* The loop, its workers and raft's thread: few threads, so few arenas. Pieces up to that stack are kept ready. */
const char *malloc_conf = "narenas:2,lg_tcache_max:16";
