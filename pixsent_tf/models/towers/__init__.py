"""How do networks that others built, and trained, become backbones like ours?

keras:NAME   a network of `keras.applications`
hub:PRESET   a preset of KerasHub: a name, an address, or a folder on disk
hf:NAME      the same by its name on Hugging Face

table          what is known of each kind of network: the one list
reading        from a network and its table entry to a backbone; the layers for it
applications   `keras:`, and what each family wants to be done to pixels
hub            KerasHub itself, an extra
presets        `hub:`, with the constants of the preset's own ImageConverter
sizes          towers that see other sizes than those they learnt from
stacks         where the blocks of a network are, and what must not learn
checkpoints    what folders and addresses of `transformers` say of pixels
words          what texts say of a picture, where a preset reads these too
names          `hf:`, official names and the presets that hold their weights
"""
