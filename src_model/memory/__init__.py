"""What is remembered of an object: kept, read, made again from masks, and brought from one window to another."""
