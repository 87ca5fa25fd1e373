"""What the commands do; here PyTorch is imported, which takes seconds, and above it only what can be typed is known."""
