// The only room for someone who is not signed in.

import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';

import { Failure } from '../../parts/Failure';
import { Mark } from '../../parts/icons';
import { server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { startSession, useForget } from '../../server/session';
import styles from './sign-in.module.css';

export function SignIn({ ended }: { ended: boolean }) {
  const client = useQueryClient();
  useForget();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const passwordField = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: () => server.signIn(email, password),
    onSuccess: (user) => startSession(client, user),
    onError: () => passwordField.current?.select(),
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };

  return (
    <main className={styles.page}>
      <form className={styles.form} onSubmit={submit}>
        <div className={styles.brand}>
          <Mark size={36} />
          <div>
            <h1>Revenue Ripple</h1>
            <p>The integration panel, for administrators.</p>
          </div>
        </div>
        {signIn.isError ? (
          <Failure problem={asProblem(signIn.error)} />
        ) : (
          ended && (
            <p role="status" className={styles.ended}>
              Your session has ended. Please sign in again.
            </p>
          )
        )}
        <TextInput
          label="Email"
          type="email"
          name="email"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <TextInput
          ref={passwordField}
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth loading={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
