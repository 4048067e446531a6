// Platform storage: values kept for the tool, by its origin, while this page is open.
const storage = document.querySelector('meta[name="lms-storage"]');
const kept = new Map();

function reply(event, fields) {
  const answer = { ...fields, subject: `${event.data.subject}.response`, message_id: event.data.message_id };
  if (storage.content === "wrong_origin") {
    const around = window.parent === window ? window : window.parent;
    const stranger = around.frames["stranger"];
    if (stranger) stranger.postMessage({ deliver: answer }, "*");
    return;
  }
  event.source.postMessage(answer, event.origin);
}

const answers = {
  "lti.capabilities": () => ({
    supported_messages: ["lti.put_data", "lti.get_data", "lti.capabilities", "lti.frameResize", "lti.scrollToTop"]
      .map((subject) => ({ subject })),
  }),
  "lti.put_data": ({ key, value }, origin) => {
    if (typeof key !== "string" || (value !== null && value !== undefined && typeof value !== "string")) {
      return { error: { code: "bad_request", message: "key and value are strings" } };
    }
    if (value === null || value === undefined) kept.delete(`${origin} ${key}`);
    else kept.set(`${origin} ${key}`, value);
    return { key, value };
  },
  "lti.get_data": ({ key }, origin) => ({ key, value: kept.get(`${origin} ${key}`) ?? null }),
};

window.addEventListener("message", (event) => {
  const asked = event.data;
  if (!storage || !["answer", "wrong_origin"].includes(storage.content)) return;
  if (!asked || typeof asked !== "object" || !Object.hasOwn(answers, asked.subject) || !event.source) return;
  reply(event, answers[asked.subject](asked, event.origin));
});
