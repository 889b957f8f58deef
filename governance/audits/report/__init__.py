"""What a report says: a context made of journalled rows alone, and the HTML made of that."""
