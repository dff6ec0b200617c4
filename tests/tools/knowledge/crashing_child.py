"""A child that a file brings down."""

import os
import sys

sys.stdin.readline()
os.abort()
