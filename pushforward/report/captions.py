"""What to look for in each picture: the words of the page."""

RECONSTRUCTIONS = (
    "{above}, and below each what the decoder makes of its code. Class, slant and weight of a stroke should survive; fine detail "
    "that the code has no room for is smoothed away."
)
CODES = "Each point is the code of one example. Gaps and clumps are what the code has found out without being told."
CODES_COLOURED = (
    "Each point is the code of one example, coloured by its class. The decoder is not told the class: colours that form islands show "
    "that the code holds it."
)
CODES_TOLD = (
    "Each point is the code of one example, coloured by its class. The decoder is told the class, so the code is free to hold only the "
    "rest, the style: colours that lie through each other are no fault here."
)
CODES_READ = " Where no class is known, the colour is what the network reads."
SHARE = " The plane shows {share} of the codes' variance (principal component analysis)."
MANIFOLD = (
    "The whole code space: z1 runs across, z2 upwards, each cell an equal share of p(z). One image should pass smoothly into the next; "
    "sudden borders and unreadable places are where the decoder was never taught."
)
SAMPLES = (
    "{count} samples in a row, none picked by hand (seed 0). Look for variety as well as for sharpness: near copies of a few "
    "examples are a bad sign."
)
ROWS = (
    "The orange outline should follow the blue histogram. Orange points should lie where the blue ones lie, neither beside them nor "
    "all in one clump."
)
CONDITIONAL = (
    "Every row is one class, every column one code. Down a column slant, width and weight should stay while the class changes: then "
    "code and class share the work. Rows that show the wrong class mean that the decoder does not listen."
)
INTERPOLATION = (
    "From the code of one image (left) to that of another (right), along an arc (slerp) and straight. Every step should look like an "
    "example. Where the straight walk grows pale or blurred in the middle, it has left the codes that the decoder knows."
)
INTERPOLATION_TOLD = " The decoder is told the class of the nearer end, so the class changes in the middle."
COMPLETIONS = (
    "The first answer is the likeliest, the others are drawn at random. Answers should agree with what was seen, and differ from each "
    "other where that leaves several possibilities."
)
CONFUSION = (
    "Each row holds the test images of one class, each column one answer. Right answers lie on the blue diagonal; orange fields are "
    "mistakes. 95\u202f% confidence interval of the accuracy: {low} to {high}."
)
CLUSTERS = (
    "Every row is one cluster, its surest images first. A row of one kind deserves that kind's name; two rows of the same kind may bear "
    "one name; in a mixed row two kinds look alike to the network."
)
GAME = "In a game no loss has to fall: what one player gains, another may lose. Steady is well; growing without end is not."
TRANSLATIONS = (
    "The first answer leaves dropout out and is always the same, the others draw it. An answer need not be the truth, but it should fit "
    "its source, and be as sharp as a photo."
)
PARTS = "Small parts are the hard ones: look whether eyes, brows and mouth are found, and how straight borders are."
ATTRIBUTES = (
    "A row for each attribute: images from the least of it, as the system reads it, to the most. What the name says should grow from left "
    "to right; a row in no order is an attribute that it cannot see."
)
HEALTH = (
    "In the words of the time, with the numbers of the last report that showed it. A warning that stopped early may be forgiven; one that "
    "was still there at the end is a reason to look twice at the pictures, and to try what it advises."
)
