/** How many there are, with the word for one or several. */
const plural = (count: string, one: string, many: string) => `${count} ${count === "1" ? one : many}`;
const people = (count: string) => plural(count, "person", "people");

export const merging = {
  title: (from: string) => `Merge “${from}” into another tag`,
  what: "Everybody who has it gets the other tag; it is deleted, and what handed data back to it goes on with the other.",
  search: "Search",
  searchHint: "Category or name",
  into: "Into which tag",
  people,
  shown: (shown: string, total: string) => `${shown} of ${total} are shown; search for the others.`,
  none: "There is no other tag of this kind",
  noneHint: "Return tags are merged into return tags, ad tags into ad tags of the same channel.",
  noneFound: "No other tag of this kind is called that",
  look: "See what that does",
  chooseFirst: "Choose a tag.",
  another: "Choose another tag",
  otherWay: (into: string) => `Rather merge “${into}” into this one`,
  gains: (count: string, into: string) => `${plural(count, "person gets", "people get")} “${into}”.`,
  gainsNobody: (into: string) => `Nobody gets “${into}” who has not got it.`,
  alreadyThere: (count: string) => `${plural(count, "has", "have")} both already.`,
  combos: (count: string, into: string) =>
    `${plural(count, "combo is", "combos are")} made of “${into}” from then on:`,
  combosNone: "No combo is made of it.",
  meaning: (count: string) => `${plural(count, "combo means", "combos mean")} something else afterwards`,
  meaningHint: "They have both tags: one of two is left out where that says the same, or nobody may be left.",
  broadcasts: (count: string, into: string) =>
    `${plural(count, "broadcast goes", "broadcasts go")} to people of “${into}”:`,
  broadcastsNone: "No broadcast waits for it.",
  remote: (name: string) => `“${name}” stays at the Official Account, and is no longer kept in sync.`,
  final: (from: string) => `“${from}” is deleted at the end, and that cannot be taken back.`,
  button: "Merge the tags",
  changed: "Something has changed since you looked",
  changedHint: "This is how it would be now. Look again before you merge.",
  started: (from: string, into: string) => `“${from}” is being merged into “${into}”.`,
  underWay: (from: string, into: string) => `“${from}” is being merged into “${into}”`,
  underWayHint:
    "Until it is done, neither can be deleted or merged. Cancelled, nobody keeps what they gained by it.",
  failed: (from: string, into: string) => `“${from}” could not be merged into “${into}”`,
};
