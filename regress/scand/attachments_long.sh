#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=3600 plain
# Each file of the set in all disguises of all archives.

exec "${OBJ:-obj}/regress/scand/attachments_test" -a -a
