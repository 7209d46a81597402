"""Section 5: each alone beside both, and what it costs to train two."""

from __future__ import annotations

import torch

from ganface.evaluation.report import describe_figure, format_figure
from ganface.lecture.course import Course, draw_curves
from ganface.lecture.page import Block, Section, Table, Text
from ganface.methods.gan import Gan
from ganface.methods.verdict import with_figures
from ganface.pictures.grid import table, to_pil

COMPARED = {
    "codes-learned": ("codes", Text("learned codes", "学得的编码")),
    "autoencoder": ("auto-encoder", Text("auto-encoder", "自编码器")),
    "vae": ("VAE", Text("VAE", "VAE")),
    "energy": ("D alone", Text("D alone", "只有 D")),
    "gan": ("GAN", Text("GAN", "GAN")),
}
SEEDS = range(8)
FIGURES = {
    "frechet": "Fréchet 距离（越低越好）",
    "swd": "切片 Wasserstein 距离（越低越好）",
    "density": "密度（接近 1 为好）",
    "coverage": "覆盖率（越高越好）",
    "diversity": "多样性（接近 1 为好）",
    "sharpness": "锐度（接近 1 为好）",
}


def each_alone(course: Course) -> Section:
    return Section(
        Text("Each alone, and both together", "各自单干与两者合作"),
        Text(
            "The generator alone is easy to train and sees no whole. The discriminator alone sees "
            "the whole and must solve argmax. In a GAN, G is the argmax and D is G's loss. What "
            "does each draw?",
            "只有生成器：容易训练，却看不到整体。只有判别器：看得到整体，却要解 argmax。在 GAN 里，"
            "G 就是那个 argmax，D 就是 G 的损失函数。它们各自画出什么？",
        ),
        [_side_by_side(course), _how_it_dies(course)],
    )


def _side_by_side(course: Course) -> Block:
    columns = [[to_pil(face) for face in course.faces(name, SEEDS)] for name in COMPARED]
    rows = [list(row) for row in zip(*columns, strict=True)]
    sheet = table(rows, [f"seed {n}" for n in SEEDS], [name for name, _ in COMPARED.values()])
    figures = {name: course.measure(course.run(name).generator) for name in COMPARED}
    floors = course.evaluation.floors
    lines = []
    for key, chinese in FIGURES.items():
        title, good = describe_figure(key)
        values = [format_figure(key, figures[name][key]) for name in COMPARED]
        name = Text(f"{title} (good is {good})", chinese)
        lines.append((name, [*values, format_figure(key, floors[key])]))
    best = min(COMPARED, key=lambda name: figures[name]["frechet"])
    names = [text for _, text in COMPARED.values()]
    lead = Text(f"{course.evaluation.count:,} faces", f"{course.evaluation.count:,} 张脸")
    return Block(
        Text(
            "The same random z, drawn by each of the generators above. A code drawn at random is "
            "nothing that the decoder of an auto-encoder has ever been given.",
            "同样的随机 z，由上面每一个生成器来画。自编码器的解码器从来没有见过随机抽出的编码。",
        ),
        [
            course.save(
                "side-by-side",
                sheet,
                Text("Rows are seeds.", "每行一个种子。"),
                *COMPARED,
            ),
            Table(lead, [*names, Text("real ones", "真实图像")], lines),
        ],
        Text(
            f"The lowest Fréchet distance is that of: {COMPARED[best][1].en}.",
            f"Fréchet 距离最低的是：{COMPARED[best][1].zh}。",
        ),
        " ".join(
            ["ganface compare", *(str(course.run(name).path) for name in COMPARED), "my-faces"]
        ),
    )


def _how_it_dies(course: Course) -> Block:
    lines = course.lines("dying")
    last = with_figures(["loss_D"], lines)[-1]
    healthy = with_figures(["grad_G"], course.lines("gan"))
    usual = torch.tensor([line["grad_G"] for line in healthy]).median().item()
    verdict = str(lines[-1]["verdict"]).partition(":")[0]
    return Block(
        Text(
            "The costs: G is harder to read, and two networks are harder to train than one. If D "
            "becomes too good, its error goes to 0; whatever G draws is surely false, small "
            "changes make no difference, and no gradient comes back. Here D was made to learn 400 "
            "times as fast as G, with the loss of the first paper.",
            "代价：G 更难解释，两个网络也比一个难训练。如果 D 太强，它的误差趋于 0：不管 G "
            "画什么都一定被判为假，稍作改动也毫无差别，也就没有梯度传回来。这里故意让 D "
            "的学习速度是 G 的 400 倍，并使用 GAN 原始论文的损失函数。",
        ),
        [
            course.save(
                "dying",
                draw_curves(lines, [Gan.panels[i] for i in (0, 2, 3)]),
                Text("A training that dies.", "一次失败的训练。"),
                chart=True,
            )
        ],
        Text(
            f"After {int(last['step']):,} updates D's loss is {last['loss_D']:.2g} and the "
            f"gradient that reaches G {last['grad_G']:.2g} long; in the training above its median "
            f"was {usual:.2g}. The verdict: {verdict}.",
            f"{int(last['step']):,} 次更新之后，D 的损失为 {last['loss_D']:.2g}，传到 G "
            f"的梯度范数为 {last['grad_G']:.2g}；上面的正常训练中位数为 {usual:.2g}。工具的判断："
            f"“{verdict}”。",
        ),
        "ganface train my-faces --preset dcgan --loss saturating --lr-d 4e-3 --lr-g 1e-5",
    )
