"""What people ask of serving."""
