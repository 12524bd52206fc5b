"""What a page is made of: tables, drawn figures, and the HTML file around them."""
