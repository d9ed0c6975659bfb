import { Component, type ComponentType, createElement } from "preact";

/**
 * Return a component that is rendered anew only when one of its props is another.
 *
 * `memo` of preact/compat would bring all of it along.
 */
export function memo<Props extends object>(Inner: ComponentType<Props>): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>) {
      return !sameProps(this.props, next);
    }

    override render() {
      return createElement(Inner, this.props);
    }
  };
}

function sameProps(before: object, next: object): boolean {
  const entries = Object.entries(next);
  const known = before as Record<string, unknown>;
  return (
    entries.length === Object.keys(before).length && entries.every(([name, value]) => value === known[name])
  );
}
