"""What a teacher does in a course: adds activities by deep linking."""
