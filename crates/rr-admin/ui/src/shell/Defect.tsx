// A defect of the panel, said in its place: without this React would leave an empty page.

import { Component, type ReactNode } from 'react';

import { Failure } from '../parts/Failure';
import { asProblem } from '../server/problem';

export class Defect extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error ?? new Error('Something went wrong here.') };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <main>
        <Failure problem={asProblem(this.state.error)} retry={() => window.location.reload()} />
      </main>
    );
  }
}
