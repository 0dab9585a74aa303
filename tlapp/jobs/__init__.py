"""Jobs: long work that outlives the browser tab, one at a time, first come first served."""
