"""How raw things of a modality become an encoder's arrays, one file each; the file's name is its kind.

What an encoder was trained to expect (size and colours of pictures, sample rate, tokeniser) is saved with it, so that
whoever reuses it can hand it files.
"""
