import { Component, type ComponentChild } from 'preact';

type Drawn<P> = (props: P) => ComponentChild;

const same = <P extends object>(one: P, other: P): boolean => {
  const keys = Object.keys(other) as (keyof P)[];
  return keys.length === Object.keys(one).length && keys.every((key) => Object.is(one[key], other[key]));
};

/** Redrawn only when a property changes: for a list row whose neighbours change all the time. */
export function memo<P extends object>(Drawing: Drawn<P>) {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return !same<Readonly<P>>(this.props, next);
    }
    override render(props: P): ComponentChild {
      return <Drawing {...props} />;
    }
  };
}
