// The page of someone who is signed in: the header and the rooms, in reading order.

import type { SignedInUser } from '../server/calls';
import { useLive } from '../server/live';
import { Delivery } from '../rooms/delivery/Delivery';
import { Events } from '../rooms/events/Events';
import { Figures } from '../rooms/figures/Figures';
import { Keys } from '../rooms/keys/Keys';
import { Sources } from '../rooms/sources/Sources';
import { Header } from './Header';
import styles from './shell.module.css';

export function Panel({ user }: { user: SignedInUser }) {
  useLive();
  return (
    <>
      <Header user={user} />
      <main className={styles.rooms}>
        <Figures />
        <div className={styles.pair}>
          <Keys />
          <Events />
        </div>
        <Delivery />
        <Sources />
      </main>
    </>
  );
}
