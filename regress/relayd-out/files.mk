# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors

PROGS = dsn_print put
