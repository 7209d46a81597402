"""Section 4: a discriminator that generates, by climbing to what it takes for real."""

from __future__ import annotations

from ganface.lecture import line
from ganface.lecture.course import Course
from ganface.lecture.page import Block, Picture, Section, Text


def discriminator_alone(course: Course) -> Section:
    return Section(
        Text("Can the discriminator generate?", "判别器能生成吗？"),
        Text(
            "It judges the whole with ease. To draw, it must find the image that it likes best: "
            "argmax over x of D(x). And where do its negative examples come from?",
            "它很容易判断整体。要画图，就得找到它最喜欢的图：argmax D(x)。那么反例从哪里来？",
        ),
        [_line(course), _rounds(course)],
    )


def _line(course: Course) -> Block:
    rounds = line.learn()
    first, last = rounds.shown[0], rounds.shown[-1]
    return Block(
        Text(
            "Trained on real images alone, D would call everything real. Noise as negatives makes "
            "it dull. Good negatives are needed, and to find those a good D. So iterate: D learns "
            "to score real ones high and negatives low; what it then likes best are the next "
            "negatives. On a line one can watch it: D's curve is pushed down where it generates, "
            "until that is where the real ones are.",
            "只用真实图像训练，D 会把一切都判为真。拿噪声当反例，它又变得迟钝。需要好的反例，"
            "而找到好的反例又需要好的 D。所以反复迭代：D 学着给真的高分、给反例低分；"
            "它此时最喜欢的东西，就是下一轮的反例。在一条直线上可以看清这个过程：D 在哪里生成，"
            "那里的曲线就被压低，直到生成的正是真实数据所在之处。",
        ),
        [
            course.save(
                "line",
                line.draw(rounds),
                Text(
                    "D over one dimension, round by round, and where it generates.",
                    "一维空间上的 D，一轮一轮，以及它在哪里生成。",
                ),
            )
        ],
        Text(
            f"What it generates is {first.distance:.2f} away from the real ones in round "
            f"{first.number} and {last.distance:.2f} in round {last.number} (mean distance after "
            "sorting both).",
            f"它生成的样本与真实样本的距离（排序后的平均距离）：第 {first.number} 轮 "
            f"{first.distance:.2f}，第 {last.number} 轮 {last.distance:.2f}。",
        ),
    )


def _rounds(course: Course) -> Block:
    run, last = course.run("energy"), course.last_step("energy")
    figures = course.measure(run.generator)
    gan = course.measure(course.run("gan").generator)
    return Block(
        Text(
            "The same with faces. Each starts as noise, which has the colours of images and no "
            "face, and climbs D's gradient, step by step.",
            "换成人脸也一样。每张脸从噪声出发（只有图像的颜色，没有脸），沿着 D "
            "的梯度一步步往上爬。",
        ),
        [
            Picture(
                run.timeline,
                Text("What D took for real, round by round.", "每一轮里 D 认为真实的图像。"),
            ),
            Picture(
                run.sheet("ascent", last),
                Text("From noise to a face: each row one ascent.", "从噪声到脸：每行是一次爬升。"),
            ),
        ],
        Text(
            f"After {last:,} updates the Fréchet distance is {figures['frechet']:.0f} (GAN: "
            f"{gan['frechet']:.1f}), coverage {figures['coverage']:.0%} (GAN: "
            f"{gan['coverage']:.0%}).",
            f"{last:,} 次更新之后，Fréchet 距离为 {figures['frechet']:.0f}（GAN："
            f"{gan['frechet']:.1f}），覆盖率 {figures['coverage']:.0%}（GAN："
            f"{gan['coverage']:.0%}）。",
        ),
        "ganface train my-faces --method energy",
    )
