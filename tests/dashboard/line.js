// Stands on the page's line to its server: holds messages back, changes requests, cuts the line.
{
  const Socket = window.WebSocket;
  const isAnswer = (text) => text.includes('"MessageSent"');
  // What wants an answer has a number to know it by.
  const isRequest = (text) => text.includes('"verb"') && text.includes('"number"');
  const none = () => false;
  let isHeld = none;
  let socket = null;
  const held = [];

  window.line = {
    asked: 0,
    answers: 0,
    garbled: "", // a word of a request that the server is not to understand
    // Answers wait; what the server tells meanwhile arrives.
    holdAnswers() {
      isHeld = isAnswer;
    },
    // The next answer arrives, nothing after it.
    holdAfterAnswer() {
      const until = line.answers;
      isHeld = () => line.answers > until;
    },
    release() {
      isHeld = none;
      for (const pass of held.splice(0)) pass();
    },
    cut: () => socket.close(),
  };

  window.WebSocket = class extends Socket {
    set onmessage(take) {
      let parts = [];
      socket = this;
      super.onmessage = (part) => {
        parts.push(part);
        // Header, remarks, content, and two for each buffer that the header announces.
        if (parts.length < 3 + 2 * (JSON.parse(parts[0].data).num_buffers ?? 0)) return;
        const message = parts;
        parts = [];
        const pass = () => message.forEach((one) => take(one));
        const text = message[2].data;
        if (isHeld(text)) held.push(pass);
        else pass();
        line.answers += isAnswer(text);
      };
    }

    send(text) {
      line.asked += isRequest(text);
      super.send(line.garbled ? text.replace(`"${line.garbled}"`, '"what nobody understands"') : text);
    }
  };
}
