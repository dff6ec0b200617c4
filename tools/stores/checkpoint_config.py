"""What a caller may tell the checkpoint saver beyond LangGraph's own configuration."""

NEW_THREAD = "new_thread"
"""Set in `configurable`, it says that the thread begins now: there is nothing to look up."""
