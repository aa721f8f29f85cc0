# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk; the sources are named in
# scand/files.mk.

LIBS = archive crypto lzma z
