"""What the app says about itself: logs, metrics, health."""
