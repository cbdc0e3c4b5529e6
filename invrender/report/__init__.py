"""What a run leaves for people to look at: report.html, report.png, and pictures with labels."""
