"""What has to hold in every row: declared, checked, kept."""
