"""The page's tabs, one file each: `TITLE`, `PATH`, `ORDER` of the tab, and `build(house)`, which declares its pages."""
