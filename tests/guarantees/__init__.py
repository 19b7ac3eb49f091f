"""What the engine promises, proven on real processes that are killed, stopped, starved and restarted."""
