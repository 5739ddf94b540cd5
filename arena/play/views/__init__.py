"""What the tabs are made of: the board, controls, drawings, the frame around each page."""
