"""What people read: logs and reports."""
