/* The names under which a server tells its settings. */
#include "model/settings.h"

const struct setting_row setting_rows[SETTING_COUNT] = {
#define X(name, mariadb, mysql) [SETTING_##name] = { mariadb, mysql },
    SETTING_TABLE(X)
#undef X
};
