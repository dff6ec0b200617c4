"""A child that never answers, in place of `tools.knowledge.graph.communities_child`."""

import signal

signal.pause()
