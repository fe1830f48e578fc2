"""What a teacher does in a course: adds activities by deep linking, and opens from the gradebook
what somebody has done."""
