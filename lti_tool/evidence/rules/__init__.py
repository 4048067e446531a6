"""The figures of an activity: `facts` is what is counted, `figures` what a figure is, `catalog` lists all of them."""
