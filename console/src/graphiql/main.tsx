/** @jsxImportSource react */
import 'graphiql/style.css';
import './graphiql.css';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { signIn, storedKey, takeKeyFromAddress } from '../state/session.js';
import { AskKey } from './ask-key.js';
import { Explorer } from './explorer.js';

function Page() {
  const [key, setKey] = useState(storedKey);
  if (key !== null) return <Explorer credential={key} />;
  const take = (given: string): void => {
    signIn(given, { remember: false });
    setKey(given);
  };
  return <AskKey onGiven={take} />;
}

takeKeyFromAddress();
const root = document.getElementById('graphiql');
if (root) createRoot(root).render(<Page />);
