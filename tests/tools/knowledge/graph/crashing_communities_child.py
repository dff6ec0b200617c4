"""A child that dies over its work, in place of `tools.knowledge.graph.communities_child`."""

import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
