// The door: who may see what.

import { Loader } from '@mantine/core';

import { Failure } from './parts/Failure';
import { SignIn } from './rooms/sign-in/SignIn';
import { asProblem } from './server/problem';
import { useSession } from './server/session';
import { NowProvider } from './parts/now';
import { Panel } from './shell/Panel';
import styles from './app.module.css';

export function App() {
  const session = useSession();
  if (session.data?.user) {
    return (
      <NowProvider>
        <Panel user={session.data.user} />
      </NowProvider>
    );
  }
  if (session.data) return <SignIn ended={session.data.ended} />;
  return (
    <main className={styles.middle}>
      {session.isError ? (
        <Failure problem={asProblem(session.error)} retry={() => void session.refetch()} retrying={session.isFetching} />
      ) : (
        <Loader aria-label="Loading" />
      )}
    </main>
  );
}
