# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors

PROGS = family

resolver_test_LIBS = event unbound
