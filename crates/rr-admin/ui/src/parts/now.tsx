// One ticking clock for all relative times on the page.

import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

const TICK_MS = 10_000;
const Now = createContext(Date.now());

export function NowProvider({ children }: { children: ReactNode }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  return <Now value={now}>{children}</Now>;
}

/** The present, to within ten seconds. */
export function useNow(): number {
  return useContext(Now);
}
