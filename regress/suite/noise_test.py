#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=120
"""Nonsense from clients, for a short while."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import noise        # noqa: E402
import world        # noqa: E402

world.main(lambda: noise.run(seconds=8))
