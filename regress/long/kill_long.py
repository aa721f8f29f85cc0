#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=5400 plain
"""Random processes die under load, for an hour (PF_SECONDS)."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import kills        # noqa: E402
import world        # noqa: E402

world.main(lambda: kills.run(float(os.environ.get("PF_SECONDS", "3600")),
                             pause=1.0, clients=6))
