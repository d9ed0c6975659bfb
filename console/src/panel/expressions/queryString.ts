import {
  emptyTree,
  followersLeaf,
  group,
  hole,
  isGroup,
  type Operator,
  receivedLeaf,
  type Tree,
  tagLeaf,
} from "./tree";

const FOLLOWERS = "followers";
const HOLE = "_";

/**
 * Writes a tree for an address, as people can read and write it: `except(all(ID,ID),followers)`; leaves are ids of tags,
 * `followers`, `received(ID)`, and `_` where something is still to be chosen.
 */
export function toQueryString(tree: Tree): string {
  if (isGroup(tree)) return `${tree.kind}(${tree.children.map(toQueryString).join(",")})`;
  if (tree.kind === "tag") return encoded(tree.tag);
  if (tree.kind === "received") return `received(${encoded(tree.broadcast)})`;
  return tree.kind === "followers" ? FOLLOWERS : HOLE;
}

function encoded(id: string): string {
  return encodeURIComponent(id).replaceAll("(", "%28").replaceAll(")", "%29");
}

/** Reads what `toQueryString` wrote; null for anything else. */
export function fromQueryString(text: string): Tree | null {
  const tokens = text.match(/[(),]|[^(),]+/g) ?? [];
  const reader = new Reader(tokens.map((token) => token.trim()).filter((token) => token !== ""));
  try {
    const tree = reader.tree(0);
    return reader.isAtEnd() ? tree : null;
  } catch {
    return null;
  }
}

/** Returns the tree of an address's `expression`; an empty one where there is none, or none that can be read. */
export function treeOfQuery(expression: string | null): Tree {
  return (expression && fromQueryString(expression)) || emptyTree();
}

const DEEPEST = 50;

class Reader {
  private readonly tokens: readonly string[];
  private place = 0;

  constructor(tokens: readonly string[]) {
    this.tokens = tokens;
  }

  isAtEnd(): boolean {
    return this.place === this.tokens.length;
  }

  tree(depth: number): Tree {
    const name = this.next();
    if (name === "" || /[(),]/.test(name) || depth > DEEPEST) throw new SyntaxError(name);
    if (this.tokens[this.place] !== "(") return leafOf(name);
    this.place += 1;
    if (name === "received") {
      const id = decodeURIComponent(this.next());
      this.expect(")");
      return receivedLeaf(id);
    }
    const children = this.children(depth + 1);
    const fits = name === "all" || name === "any" || (name === "except" && children.length === 2);
    if (!fits) throw new SyntaxError(name);
    return group(name as Operator, children);
  }

  private children(depth: number): Tree[] {
    if (this.tokens[this.place] === ")") {
      this.place += 1;
      return [];
    }
    const children = [this.tree(depth)];
    while (this.tokens[this.place] === ",") {
      this.place += 1;
      children.push(this.tree(depth));
    }
    this.expect(")");
    return children;
  }

  private expect(token: string): void {
    if (this.next() !== token) throw new SyntaxError(token);
  }

  private next(): string {
    this.place += 1;
    return this.tokens[this.place - 1] ?? "";
  }
}

function leafOf(name: string): Tree {
  if (name === FOLLOWERS) return followersLeaf();
  return name === HOLE ? hole() : tagLeaf(decodeURIComponent(name));
}
